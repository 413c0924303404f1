# A Patroni cluster behind pgbouncer; one replica is to be removed and replaced.

project "registry-db" {
  environment = "production"

  connection {
    user = "recovery"
  }
}

fleet "patroni" {
  for_each = csvdecode(file("patroni.csv"))
  name     = each.value.name
  address  = each.value.address
  site     = each.value.zone
  labels   = { tier = "db" }
}

fleet "pgbouncer" {
  for_each = csvdecode(file("pgbouncer.csv"))
  name     = each.value.name
  address  = each.value.address
  site     = each.value.zone
  labels   = { tier = "pool" }
}

role "dba" { members = ["gita@example.org", "hugo@example.org"] }
role "infrastructure" { members = ["ines@example.org", "jan@example.org"] }
