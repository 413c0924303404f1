host "a" {
  address = "10.0.0.1"
}

group "text" {
  hosts = "a" # want CON-T003 "a host or a list of hosts is wanted"
}

group "unknown" {
  hosts = [host.b] # want CON-R004 "there is no host"
}

group "other" {
  hosts = group.txet # want CON-R005 "there is no group"
}

group "left" { # want CON-R021 "needs itself"
  hosts = group.right
}

group "right" {
  hosts = group.left
}

group "label" {
  hosts = [for h in inventory : h if h.labels.teir == "db"] # want CON-E006
}
