# Vault with disaster-recovery replication between two sites.

project "vault" {
  environment = "production"

  connection {
    user = "recovery"
  }
}

host "vault-a" {
  address = "10.1.0.31"
  site    = "a"
}
host "vault-b" {
  address = "10.2.0.31"
  site    = "b"
}

role "major-incident-manager" { members = ["alice@example.org", "bob@example.org", "carol@example.org"] }
role "key-holder" { members = ["kim@example.org", "lea@example.org", "max@example.org", "nia@example.org", "oli@example.org"] }

secret "canary" { env = "CONTINUO_VAULT_CANARY_TOKEN" }
