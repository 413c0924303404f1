host "a" {
  address = "10.0.0.1:22" # want CON-S030 "is neither a DNS name nor an IP address"
}

host "b" {
  address = "root@10.0.0.1" # want CON-S030 "is neither a DNS name nor an IP address"
}

host "c" {
  address = "-oProxyCommand=sh" # want CON-S030 "is neither"
  labels  = ["web"]             # want CON-S022 "is a map of texts"
}

host "bad name" { # want CON-S020 "is not a host name"
  address = "10.0.0.1"
}

host "control" { # want CON-S020 "cannot be called"
  address = "10.0.0.1"
}

host "d" {
  address = "10.0.0.${var.number}" # want CON-R019 "var.number cannot be used here" at "var.number"
}

host "e" {
  address = host.a.address # want CON-R019 "cannot be used here" at "host.a.address"
}

host "f" {
  address = "10.0.0.1"
  connection {
    via      = "bastion"     # want CON-R010 "is a reference to a host"
    password = secret.absent # want CON-R007 "there is no secret" at "absent"
  }
}

host "g" {
  address = "10.0.0.1"
  connection {
    via = host.bastoin # want CON-R004 "there is no host"
  }
}

host "bastion" {
  address = "10.0.0.9"
}
