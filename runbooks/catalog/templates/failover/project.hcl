# Two database hosts on two sites. Put in your addresses, then `continuo trust add db-a db-b` and `continuo run failover`.

project "database" {
  environment = "staging" # left out, it is production, which asks for a change or incident reference in live runs

  connection {
    user            = "recovery"
    connect_timeout = "10s"
  }
}

host "db-a" {
  address = "db-a.example.org"
  site    = "a"
  labels  = { service = "database" }
}

host "db-b" {
  address = "db-b.example.org"
  site    = "b"
  labels  = { service = "database" }
}

group "database" {
  hosts = [for h in inventory : h if h.labels.service == "database"]
}

# Who may approve. They sign with their SSH keys: put those into the file allowed_signers (see `continuo help approve`).
role "incident-lead" { members = ["alice@example.org", "bob@example.org"] }
