# A host cannot be reached through itself.
host "a" {
  address = "10.0.0.1"
  connection {
    via = host.b # want CON-R020 "is reached through itself"
  }
}

host "b" {
  address = "10.0.0.2"
  connection {
    via = host.a # want CON-R020 "is reached through itself"
  }
}
