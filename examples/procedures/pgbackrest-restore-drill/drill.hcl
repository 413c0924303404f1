# Restore the ledger to a chosen instant on a scratch host, prove the data, and throw the copy away.

runbook "restore-drill" {
  title     = "Point-in-time restore of the ledger to a scratch host"
  service   = "ledger"
  owner     = "dba@example.org"
  version   = "1.2.0"
  review_by = "2027-05-31"

  exercise {
    type              = "restore-test"
    production_impact = "none"
  }
  scenario {
    title       = "A faulty release deleted rows at a known time"
    severity    = "severe"
    assumptions = ["the backup repository is intact"]
  }

  variable "target_time" {
    type        = string
    description = "The instant to restore to, RFC 3339 with a zone: the time as PostgreSQL reckons it."
    validation {
      condition = can(timeparse(var.target_time))
      message   = "give an instant with its zone, such as 2026-11-20T14:05:00Z"
    }
  }
  variable "stanza" {
    type    = string
    default = "ledger"
  }

  locals {
    backups = jsondecode(check.backups.stdout)[0].backup
    # The last backup that ENDED before the target: a later one cannot be rolled back to it.
    usable = [for b in local.backups : b if timesub(var.target_time, fromunix(b.timestamp.stop)) > 0]
    chosen = local.usable[length(local.usable) - 1].label
  }

  mark "disruption" { at = var.target_time }

  objective "rto" {
    target = "2h"
    from   = "restore-begun"
    to     = "data-proven"
  }
  objective "rpo" {
    target         = "5m"
    recovery_point = check.newest-row.at
  }

  phase "choose" {
    check "backups" {
      hosts  = host.repo-1
      become = "pgbackrest"
      argv   = ["pgbackrest", "--stanza", var.stanza, "info", "--output=json"]
    }
    assert "a-backup-ends-before-the-target" {
      condition = length(local.usable) > 0
      message   = "no backup ended before ${var.target_time}"
    }
  }

  phase "restore" {
    hosts  = host.scratch-1
    become = "postgres"

    step "stop" {
      argv          = ["pg_ctlcluster", "15", "scratch", "stop", "-m", "fast"]
      success_codes = [0, 2] # 2: it was not running
      timeout       = "2m"
      idempotent    = true
      marks_start   = ["restore-begun"]
    }
    step "restore" {
      argv = [
        "pgbackrest", "--stanza", var.stanza, "restore", "--delta", "--set", local.chosen,
        "--type=time", "--target=${var.target_time}", "--target-action=promote",
      ]
      timeout    = "90m"
      idempotent = true # --delta takes up where it stopped
    }
    step "start" {
      argv    = ["pg_ctlcluster", "15", "scratch", "start"]
      timeout = "30m"
      marks   = ["recovered"]
      verify {
        argv = ["psql", "-XAtqc", "select pg_is_in_recovery()"]
        expect {
          condition = result.stdout == "f"
          message   = "still recovering"
        }
        poll {
          every  = "5s"
          within = "20m"
        }
      }
    }
  }

  phase "prove" {
    hosts  = host.scratch-1
    become = "postgres"

    check "recovery-stopped-in-time" {
      argv = ["grep", "-c", "recovery stopping before", "/var/log/postgresql/postgresql-15-scratch.log"]
    }
    check "newest-row" {
      argv = ["psql", "-XAtqc", "select to_char(max(booked_at) at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"') from ledger.entry"]
      capture "at" { value = result.stdout }
      expect {
        condition = timesub(var.target_time, result.at) >= 0
        message   = "the newest row, ${result.at}, lies after the target"
      }
    }
    check "sum-of-the-books" {
      argv = ["psql", "-XAtqc", "select coalesce(sum(debit) - sum(credit), 0) from ledger.entry"]
      expect {
        condition = tonumber(result.stdout) == 0
        message   = "debit and credit differ by ${result.stdout}"
      }
      marks = ["data-proven"]
    }
  }

  cleanup {
    step "drop-the-copy" {
      hosts      = host.scratch-1
      become     = "postgres"
      argv       = ["/usr/local/sbin/drop-scratch-cluster", "15", "scratch"]
      timeout    = "10m"
      idempotent = true
    }
  }
}

# The trap that has caught others: a restore from a backup that ended after the target must fail, and must be seen to.
runbook "wrong-backup-must-fail" {
  title     = "Prove that a backup taken after the target is refused"
  service   = "ledger"
  owner     = "dba@example.org"
  version   = "1.0.0"
  review_by = "2027-05-31"

  variable "target_time" { type = string }
  variable "later_backup" { type = string }

  objective "refusal" {
    target = "10m"
    from   = "asked"
    to     = "refused"
  }

  phase "try" {
    step "restore" {
      hosts         = host.scratch-1
      become        = "postgres"
      argv          = ["pgbackrest", "--stanza", "ledger", "restore", "--delta", "--set", var.later_backup, "--type=time", "--target=${var.target_time}"]
      success_codes = "nonzero"
      timeout       = "90m"
      marks_start   = ["asked"]
      marks         = ["refused"]
    }
  }
}
