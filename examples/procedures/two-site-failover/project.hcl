# An application of three layers at two sites. Each layer has its team and its runbook.

project "shop" {
  environment = "production"

  connection {
    user = "recovery"
  }
}

host "db-b" {
  address = "10.2.0.11"
  site    = "b"
}
host "app-b" {
  address = "10.2.0.21"
  site    = "b"
}
host "edge-b" {
  address = "10.2.0.31"
  site    = "b"
}

role "major-incident-manager" { members = ["alice@example.org", "bob@example.org", "carol@example.org"] }
