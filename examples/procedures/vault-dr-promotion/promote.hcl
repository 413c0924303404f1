# Promote the DR secondary of Vault. Three of five key holders each give their share, privately; no share and no token is
# ever written down, shown or recorded.

runbook "promote-vault-b" {
  title     = "Promote the Vault DR secondary at site B"
  service   = "vault"
  owner     = "security@example.org"
  version   = "1.5.0"
  review_by = "2027-01-31"
  failback  = runbook.demote-vault-b

  exercise {
    type              = "switchover"
    production_impact = "switchover"
  }

  mark "declared" {}
  mark "disruption" {}

  objective "rto" {
    target = "1h"
    from   = "declared"
    to     = "verified"
  }

  phase "assess" {
    check "secondary" {
      hosts = host.vault-b
      argv  = ["vault", "read", "-format=json", "sys/replication/dr/status"]
      capture "last_remote_wal" {
        value = jsondecode(result.stdout).data.last_remote_wal
        type  = number
      }
      expect {
        condition = jsondecode(result.stdout).data.mode == "secondary"
        message   = "vault-b is no DR secondary"
      }
    }
    check "primary-is-down" {
      tcp {
        address = "${host.vault-a.address}:8200"
        from    = host.vault-b
        want    = "closed"
        witness = "10.3.0.5:22"
      }
    }
    gate "promote" {
      question     = "Promote vault-b? It has everything up to WAL ${check.secondary.last_remote_wal}."
      role         = role.major-incident-manager
      approvals    = 2
      expires      = "30m"
      start_within = "20m"
      recheck      = [check.primary-is-down]
    }
  }

  phase "operation token" {
    step "begin" {
      hosts   = host.vault-b
      argv    = ["vault", "operator", "generate-root", "-dr-token", "-init", "-format=json"]
      timeout = "30s"
      capture "nonce" { value = jsondecode(result.stdout).nonce }
      capture "otp" {
        value     = jsondecode(result.stdout).otp
        sensitive = true
      }
      requires = [gate.promote]
      rollback { argv = ["vault", "operator", "generate-root", "-dr-token", "-cancel"] }
    }
    manual "share-1" {
      instructions = "First key holder: type your share. It is not shown and not recorded."
      role         = role.key-holder
      input "share" {
        type      = string
        sensitive = true
      }
    }
    step "give-share-1" {
      hosts   = host.vault-b
      argv    = ["vault", "operator", "generate-root", "-dr-token", "-nonce=${step.begin.nonce}", "-"]
      stdin   = manual.share-1.inputs.share
      timeout = "30s"
      rollback { argv = ["vault", "operator", "generate-root", "-dr-token", "-cancel"] }
    }
    manual "share-2" {
      instructions = "Second key holder: type your share."
      role         = role.key-holder
      input "share" {
        type      = string
        sensitive = true
      }
    }
    step "give-share-2" {
      hosts   = host.vault-b
      argv    = ["vault", "operator", "generate-root", "-dr-token", "-nonce=${step.begin.nonce}", "-"]
      stdin   = manual.share-2.inputs.share
      timeout = "30s"
      rollback { argv = ["vault", "operator", "generate-root", "-dr-token", "-cancel"] }
    }
    manual "share-3" {
      instructions = "Third key holder: type your share."
      role         = role.key-holder
      input "share" {
        type      = string
        sensitive = true
      }
    }
    step "give-share-3" {
      hosts   = host.vault-b
      argv    = ["vault", "operator", "generate-root", "-dr-token", "-nonce=${step.begin.nonce}", "-format=json", "-"]
      stdin   = manual.share-3.inputs.share
      timeout = "30s"
      capture "encoded" {
        value     = jsondecode(result.stdout).encoded_token
        sensitive = true
      }
      rollback { argv = ["vault", "operator", "generate-root", "-dr-token", "-cancel"] }
    }
    step "decode" {
      hosts   = host.vault-b
      script  = "vault operator generate-root -dr-token -decode=\"$ENCODED\" -otp=\"$OTP\""
      env     = { ENCODED = step.give-share-3.encoded, OTP = step.begin.otp }
      timeout = "30s"
      capture "token" {
        value     = result.stdout
        sensitive = true
      }
      rollback {
        script = "printf '{\"token\":\"%s\"}' \"$TOKEN\" | vault write sys/replication/dr/secondary/operation-token/delete -"
        env    = { TOKEN = step.decode.token }
      }
    }
  }

  phase "promote" {
    step "promote" {
      hosts        = host.vault-b
      script       = "printf '{\"dr_operation_token\":\"%s\"}' \"$TOKEN\" | vault write -f sys/replication/dr/secondary/promote -"
      env          = { TOKEN = step.decode.token }
      requires     = [gate.promote]
      timeout      = "2m"
      irreversible = true
      marks        = ["recovered"]
      verify {
        argv = ["vault", "read", "-field=mode", "sys/replication/dr/status"]
        expect {
          condition = result.stdout == "primary"
          message   = "not primary yet"
        }
        poll {
          every  = "3s"
          within = "3m"
        }
      }
    }
    check "canary" {
      hosts = host.vault-b
      argv  = ["vault", "kv", "get", "-field=value", "continuity/canary"]
      env   = { VAULT_TOKEN = secret.canary }
      expect {
        condition = result.stdout == "alive"
        message   = "the canary secret cannot be read"
      }
      marks = ["verified"]
    }
  }

  cleanup {
    step "revoke-operation-token" {
      hosts      = host.vault-b
      script     = "printf '{\"token\":\"%s\"}' \"$TOKEN\" | vault write sys/replication/dr/secondary/operation-token/delete -"
      env        = { TOKEN = step.decode.token }
      timeout    = "30s"
      idempotent = true
    }
  }
}

runbook "demote-vault-b" {
  title     = "Return Vault to site A"
  service   = "vault"
  owner     = "security@example.org"
  version   = "1.0.0"
  review_by = "2027-01-31"
  failback  = runbook.promote-vault-b

  objective "outage" {
    target = "30m"
    from   = "begun"
    to     = "back"
  }

  phase "return" {
    manual "prepare-a" {
      instructions = "Make vault-a a DR secondary of vault-b and wait until it streams."
      owner        = "security@example.org"
    }
    gate "return" {
      question  = "Return to vault-a now?"
      role      = role.major-incident-manager
      approvals = 2
      expires   = "30m"
    }
    step "demote" {
      hosts        = host.vault-b
      argv         = ["vault", "write", "-f", "sys/replication/dr/primary/demote"]
      requires     = [gate.return]
      timeout      = "2m"
      irreversible = true
      marks_start  = ["begun"]
      marks        = ["back"]
      verify {
        argv = ["vault", "read", "-field=mode", "sys/replication/dr/status"]
        expect {
          condition = result.stdout == "secondary"
          message   = "not a secondary yet"
        }
        poll {
          every  = "3s"
          within = "3m"
        }
      }
    }
  }
}
