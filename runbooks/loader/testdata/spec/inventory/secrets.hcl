secret "env" {
  env = "A_B1"
}
secret "file" {
  file = "/etc/continuo/secret"
}
secret "command" {
  command = ["pass", "show", "x"]
}
secret "prompt" {
  prompt = true
}
secret "age" {
  age = "secret.age"
}
role "dba" {
  members = ["alice@example.org"]
}
