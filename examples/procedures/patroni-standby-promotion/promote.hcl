# Promote the standby Patroni cluster in DC2 after DC1 was lost. DC1 must be fenced first: two primaries lose data.

runbook "promote-dc2" {
  title     = "Promote the standby cluster in DC2"
  service   = "payments"
  owner     = "payments-sre@example.org"
  version   = "3.0.1"
  review_by = "2027-03-31"
  failback  = runbook.return-to-dc1

  exercise {
    type              = "switchover"
    production_impact = "switchover"
  }
  scenario {
    title       = "Loss of DC1"
    severity    = "severe"
    assumptions = ["DC2 has power and transit", "the witness in DC3 is reachable"]
  }

  variable "dc1_primary" {
    type    = string
    default = "10.1.0.11:5432"
  }

  mark "disruption" {}
  mark "declared" {}

  objective "rto" {
    target = "30m"
    from   = "declared"
    to     = "verified"
  }
  objective "rpo" {
    target         = "5m"
    recovery_point = check.last-replay.replayed_at
  }

  phase "assess" {
    check "standby-leader" {
      # Which of them leads is only known now.
      hosts = group.standby
      argv  = ["patronictl", "list", "-f", "json"]
      capture "leader" {
        value = sole([for m in jsondecode(result.stdout) : m.Member if m.Role == "Standby Leader"])
      }
      expect_all {
        condition = length(toset([for r in values(results) : r.leader])) == 1
        message   = "the members do not agree on who leads the standby cluster"
      }
    }
    check "last-replay" {
      hosts  = sole([for h in group.standby : h if h.name == check.standby-leader.by_host["pg-2a"].leader])
      become = "postgres"
      argv   = ["psql", "-XAtqc", "select extract(epoch from pg_last_xact_replay_timestamp())"]
      capture "replayed_at" {
        value = result.stdout
        type  = number
      }
    }
    check "dc1-is-dark" {
      tcp {
        address = var.dc1_primary
        from    = group.vantage
        want    = "closed"
        witness = "10.3.0.5:22"
      }
    }
  }

  phase "fence" {
    manual "power-off" {
      instructions = <<-EOT
        Make certain that no database of DC1 can come back by itself:

        1. Power off pg-1a and pg-1b by their management boards, or have their switch ports shut.
        2. Note how you know, in the field below.
      EOT
      role         = role.data-centre-operations
      people       = 2
      input "how_we_know" {
        type = string
        validation {
          condition = length(var.how_we_know) >= 10
          message   = "say in a sentence how you know"
        }
      }
    }
  }

  phase "promote" {
    gate "promote" {
      question     = "Promote DC2? DC1 is fenced: ${manual.power-off.inputs.how_we_know}"
      role         = role.major-incident-manager
      approvals    = 2
      expires      = "20m"
      start_within = "10m"
      recheck      = [check.dc1-is-dark]
    }
    step "leave-standby" {
      # Through Patroni, never by pg_ctl promote: Patroni would demote it again.
      hosts        = sole([for h in group.standby : h if h.name == check.standby-leader.by_host["pg-2a"].leader])
      become       = "postgres"
      argv         = ["patronictl", "edit-config", "--force", "-s", "standby_cluster=null"]
      requires     = [gate.promote]
      timeout      = "1m"
      irreversible = true
      marks        = ["recovered"]
      verify {
        argv = ["psql", "-XAtqc", "select pg_is_in_recovery()"]
        expect {
          condition = result.stdout == "f"
          message   = "still in recovery"
        }
        poll {
          every  = "2s"
          within = "120s"
        }
      }
    }
    check "one-leader" {
      hosts = group.standby
      argv  = ["patronictl", "list", "-f", "json"]
      expect {
        condition = length([for m in jsondecode(result.stdout) : m if m.Role == "Leader"]) == 1
        message   = "not exactly one leader"
      }
      poll {
        every  = "2s"
        within = "60s"
      }
    }
  }

  phase "repoint" {
    step "balancers" {
      hosts      = group.balancers
      become     = "root"
      argv       = ["/usr/local/sbin/set-backend", "payments-db", "dc2"]
      timeout    = "1m"
      idempotent = true
      rollout { batch = "100%" }
      rollback { argv = ["/usr/local/sbin/set-backend", "payments-db", "dc1"] }
    }
    check "application-writes" {
      http {
        url         = "https://payments.example.org/healthz/write"
        want_status = [200]
      }
      poll {
        every  = "5s"
        within = "3m"
      }
      marks = ["verified"]
    }
  }
}
