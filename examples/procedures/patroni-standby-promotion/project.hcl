# Two data centres. DC1 holds the primary Patroni cluster, DC2 a standby cluster that follows it asynchronously.

project "payments" {
  environment = "production"
  timezone    = "Europe/Berlin"

  connection {
    user = "recovery"
  }
}

host "bastion-2" { address = "bastion.dc2.example.org" }

host "pg-2a" {
  address = "10.2.0.11"
  site    = "dc2"
  labels  = { tier = "db" }
  connection { via = host.bastion-2 }
}
host "pg-2b" {
  address = "10.2.0.12"
  site    = "dc2"
  labels  = { tier = "db" }
  connection { via = host.bastion-2 }
}
host "witness-3" {
  address = "10.3.0.5"
  site    = "dc3"
  labels  = { tier = "witness" }
}
host "lb-2a" {
  address = "10.2.0.21"
  site    = "dc2"
  labels  = { tier = "lb" }
}
host "lb-2b" {
  address = "10.2.0.22"
  site    = "dc2"
  labels  = { tier = "lb" }
}

group "standby" {
  hosts = [for h in inventory : h if h.site == "dc2" && h.labels.tier == "db"]
}
group "vantage" {
  hosts = [for h in inventory : h if h.labels.tier == "witness" || h.labels.tier == "lb"]
}
group "balancers" {
  hosts = [for h in inventory : h if h.labels.tier == "lb"]
}

role "major-incident-manager" { members = ["alice@example.org", "bob@example.org", "carol@example.org"] }
role "data-centre-operations" { members = ["dan@example.org", "eve@example.org", "frank@example.org"] }
