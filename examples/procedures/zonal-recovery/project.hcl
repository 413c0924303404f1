# A service in three zones; zone d is lost. Several teams work side by side.

project "platform" {
  environment = "production"
  timezone    = "Europe/London"

  connection {
    user = "recovery"
  }
}

fleet "servers" {
  for_each = csvdecode(file("servers.csv"))
  name     = each.value.name
  address  = each.value.address
  site     = each.value.zone
  owner    = each.value.owner
  labels   = { tier = each.value.tier }
}

group "balancers" {
  hosts = [for h in inventory : h if h.labels.tier == "lb"]
}
group "replicas" {
  hosts = [for h in inventory : h if h.labels.tier == "db"]
}

role "major-incident-manager" { members = ["alice@example.org", "bob@example.org"] }
