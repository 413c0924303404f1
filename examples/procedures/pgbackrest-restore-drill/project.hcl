# A point-in-time restore drill to a scratch host. Production is only read.

project "ledger" {
  environment = "production"
  timezone    = "Europe/London"

  connection {
    user = "recovery"
  }
}

host "repo-1" { address = "10.9.0.7" }

host "scratch-1" {
  address     = "10.8.0.3"
  environment = "staging"
  ci          = "CI-8003"
}

role "dba" { members = ["gita@example.org", "hugo@example.org"] }
