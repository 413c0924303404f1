secret "none" { # want CON-S027 "does not say where it comes from"
}
secret "two" {
  env  = "A"
  file = "/b" # want CON-S027 "has both env and file" at "file"
}
secret "name" {
  env = "A-B" # want CON-S029 "is no name of an environment variable"
}
secret "line" {
  command = "pass show x" # want CON-S022 "is a list of texts"
}
secret "empty" {
  command = [] # want CON-S026 "is empty"
}
secret "prompt" {
  prompt = false # want CON-S026 "can only be true"
}
secret "Upper" { # want CON-S020 "is not a name"
  env = "A"
}
role "nobody" {
  members = [] # want CON-S026 "has no members"
}
role "twice" {
  members = ["a@example.org", "a@example.org"] # want CON-S026 "listed twice"
}
