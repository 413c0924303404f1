fleet "web" {
  for_each = [{ name = "web1" }, { name = "web2" }]
  name     = each.value.name
  address  = each.value.ip # want CON-E006
}

fleet "same" {
  for_each = ["x", "x"]
  name     = each.value # want CON-S040 "is declared twice"
  address  = "10.0.0.1"
}

fleet "number" {
  for_each = 3 # want CON-S022 "is a list, set or map"
  name     = "n"
  address  = "10.0.0.1"
}

fleet "names" {
  for_each = ["not a name"]
  name     = each.value # want CON-S020 "is not a host name"
  address  = "10.0.0.1"
}

group "same" { # want CON-S040 "is declared twice"
  hosts = []
}
