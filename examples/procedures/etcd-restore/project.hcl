# Three etcd members, one backup host that holds the snapshots.

project "etcd" {
  environment = "production"
  timezone    = "Europe/London"

  connection {
    user = "recovery"
  }
}

host "etcd-1" {
  address = "10.1.0.11"
  site    = "a"
  ci      = "CI-3001"
  owner   = "platform@example.org"
  labels  = { service = "etcd", peer_url = "https://10.1.0.11:2380" }

  become {
    method = "sudo"
  }
}

host "etcd-2" {
  address = "10.1.0.12"
  site    = "a"
  ci      = "CI-3002"
  owner   = "platform@example.org"
  labels  = { service = "etcd", peer_url = "https://10.1.0.12:2380" }

  become {
    method = "sudo"
  }
}

host "etcd-3" {
  address = "10.2.0.13"
  site    = "b"
  ci      = "CI-3003"
  owner   = "platform@example.org"
  labels  = { service = "etcd", peer_url = "https://10.2.0.13:2380" }

  become {
    method = "sudo"
  }
}

host "backup-1" {
  address = "10.9.0.5"
  site    = "b"
  ci      = "CI-9001"
  owner   = "backup@example.org"
}

group "members" {
  hosts = [for h in inventory : h if h.labels.service == "etcd"]
}

role "major-incident-manager" { members = ["alice@example.org", "bob@example.org", "carol@example.org"] }
role "platform-engineer" { members = ["dave@example.org", "erin@example.org"] }
