# Promote the PostgreSQL standby at site B after the loss of site A.

runbook "failover" {
  title   = "Promote the database at site B"
  service = "database"
  owner   = "database team"
  version = "0.1.0"

  # The way back is a runbook of its own, with drills of its own: failback = runbook.NAME. Then this is a switchover.
  exercise {
    type              = "functional"
    production_impact = "interruption"
  }
  scenario {
    title       = "Loss of site A"
    severity    = "severe"
    assumptions = ["site B has power and transit"]
  }

  variable "max_lag_bytes" {
    type        = number
    default     = 1048576
    description = "More than this is lost only after a person has said so."
  }

  # When the clock of the recovery time starts: --at declared=2026-11-21T03:10:00Z
  mark "declared" {}

  objective "recovery-time" {
    target = "15m"
    from   = "declared"
    to     = "verified"
  }

  phase "assess" {
    hosts   = host.db-b
    become  = "postgres"
    timeout = "30s"

    check "site-a-is-dark" {
      tcp {
        address = "${host.db-a.address}:5432"
        want    = "closed"
      }
    }
    check "standby" {
      argv = ["psql", "-XAtqc", "select pg_is_in_recovery(), coalesce(pg_wal_lsn_diff(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn()), 0)"]
      capture "in_recovery" {
        value = split("|", result.stdout)[0] == "t"
        type  = bool
      }
      capture "lag_bytes" {
        value = split("|", result.stdout)[1]
        type  = number
      }
      expect {
        condition = result.in_recovery
        message   = "the database at site B is no standby: was it promoted already?"
      }
      expect {
        condition = result.lag_bytes <= var.max_lag_bytes
        message   = "${result.lag_bytes} bytes are received and not replayed, more than ${var.max_lag_bytes}"
      }
    }
  }

  phase "promote" {
    manual "confirm" {
      instructions = <<-EOT
        Site A must not come back by itself with its own database.

        1. Have its hosts powered off, or their switch ports shut.
        2. Say here that it was done, and by whom.
      EOT
      owner        = "data centre"
    }
    gate "promote" {
      question = "Promote ${host.db-b.name}? ${check.standby.lag_bytes} bytes that it received are not replayed yet."
      role     = role.incident-lead
      expires  = "30m"
    }
    step "promote" {
      hosts        = host.db-b
      become       = "postgres"
      script       = file("scripts/promote.sh")
      timeout      = "2m"
      requires     = [gate.promote]
      irreversible = true
      marks        = ["promoted"]
      verify {
        argv = ["psql", "-XAtqc", "select pg_is_in_recovery()"]
        expect {
          condition = result.stdout == "f"
          message   = "still in recovery"
        }
        poll {
          every  = "2s"
          within = "1m"
        }
      }
    }
  }

  phase "verify" {
    # A step and not a check: it writes, if only into a temporary table, so a dry-run must leave it out.
    step "accepts-writes" {
      hosts      = host.db-b
      become     = "postgres"
      timeout    = "30s"
      idempotent = true
      argv       = ["psql", "-XAtqc", "create temporary table probe (n int); insert into probe values (1); select count(*) from probe"]
      expect {
        condition = strcontains(result.stdout, "1")
        message   = "no writes: ${result.stdout}"
      }
      marks = ["verified"]
    }
  }
}
