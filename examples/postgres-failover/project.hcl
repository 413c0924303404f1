# A PostgreSQL primary at site A, its streaming standby at site B, and the application that writes to them: three real
# OpenSSH servers on loopback, started by ./up. They are real servers, so they are "staging" and not "lab": `continuo lab`
# never touches them.

project "postgres-failover" {
  environment = "staging"
  timezone    = "Europe/London"
  known_hosts = ".drill/known_hosts" # written by ./up from the servers' own files

  connection {
    user           = "postgres"
    port           = 22022
    identity_files = [".drill/id_ed25519"]
    agent          = "none"
  }
}

host "db-a" {
  address = "127.0.0.11"
  site    = "a"
  ci      = "CI-0101"
  labels  = { service = "payments", tier = "db" }
}

host "db-b" {
  address = "127.0.0.12"
  site    = "b"
  ci      = "CI-0102"
  labels  = { service = "payments", tier = "db" }
}

host "app" {
  address = "127.0.0.13"
  site    = "b"
  ci      = "CI-0201"
  labels  = { service = "payments", tier = "app" }
}

locals {
  pg_port = 54321
}
