# One source, three replicas; db-2 is to become the source. The password travels by environment, never by argv.

project "orders" {
  environment = "production"

  connection {
    user = "recovery"
  }
}

host "db-1" {
  address = "10.5.0.1"
  labels  = { role = "source" }
}
host "db-2" {
  address = "10.5.0.2"
  labels  = { role = "candidate" }
}
host "db-3" {
  address = "10.5.0.3"
  labels  = { role = "replica" }
}
host "db-4" {
  address = "10.5.0.4"
  labels  = { role = "replica" }
}

group "others" {
  hosts = [for h in inventory : h if h.labels.role == "replica"]
}

role "dba" { members = ["gita@example.org", "hugo@example.org"] }

secret "mysql" { env = "CONTINUO_MYSQL_PASSWORD" }
secret "replication" { env = "CONTINUO_REPLICATION_PASSWORD" }
