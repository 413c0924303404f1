# Move the payments database from db-a to db-b while payments are being written, and lose none that was acknowledged.
#
#   continuo run failover            rehearse: the checks run, nothing changes
#   continuo run failover --live     do it
#
# The order is the point: stop writes, let the standby catch up, switch the old primary off, promote, repoint, compare.

runbook "failover" {
  title    = "Fail the payments database over to site B"
  service  = "payments"
  owner    = "database team"
  version  = "1.2.0"
  failback = runbook.failback

  # Until db-b is promoted everything can be taken back, and is, by itself: payments flow again at site A.
  on_failure = "rollback"

  exercise {
    type              = "switchover"
    production_impact = "none"
  }

  scenario {
    title    = "Site A is about to lose power"
    severity = "severe"
    assumptions = [
      "site A still answers: what was acknowledged there can be shipped to site B",
      "site B has capacity for the whole service",
    ]
  }

  variable "max_lag_bytes" {
    type        = number
    default     = 16777216
    description = "A standby further behind than this is not promoted by this runbook."
    validation {
      condition = var.max_lag_bytes > 0
      message   = "max_lag_bytes must be positive"
    }
  }

  locals {
    # Removes the lock, if it is this run's.
    release_lock = "if grep -qxs \"$RUN\" \"$HOME/failover.lock/run\"; then rm -r \"$HOME/failover.lock\"; fi"
  }

  # When the recovery clock starts. In a drill: with the run. In an incident: --at declared=TIME
  mark "declared" { at = run.started_at }

  # From the decision until payments are known to be complete at site B.
  objective "rto" {
    target = "5m"
    from   = "declared"
    to     = "verified"
  }

  # From the freeze back to the newest payment that site B has.
  objective "rpo" {
    target         = "10s"
    from           = "writes-frozen"
    recovery_point = check.newest-payment.at
  }

  # As long as no payment can be made.
  objective "write-outage" {
    target = "1m"
    from   = "writes-frozen"
    to     = "writes-resumed"
  }

  # Only looking. A rehearsal runs all of this, and it must hold before anything is touched.
  phase "assess" {
    timeout = "30s"

    check "primary" {
      hosts = host.db-a
      argv  = ["psql", "-XAtqc", "select pg_is_in_recovery()"]
      expect {
        condition = result.stdout == "f"
        message   = "db-a is not the primary: has the failover been done already?"
      }
    }

    check "standby" {
      hosts = host.db-b
      argv  = ["psql", "-XAtqc", "select pg_is_in_recovery()"]
      expect {
        condition = result.stdout == "t"
        message   = "db-b is not a standby any more"
      }
    }

    # Bytes of WAL that db-b has not replayed, and the seconds that took when last measured.
    check "lag" {
      hosts = host.db-a
      argv = ["psql", "-XAtqc", <<-SQL
        select pg_wal_lsn_diff(pg_current_wal_lsn(), replay_lsn), coalesce(extract(epoch from replay_lag), 0)
        from pg_stat_replication where application_name = 'db-b' and state = 'streaming'
      SQL
      ]
      capture "bytes" {
        value = split("|", result.stdout)[0]
        type  = number
      }
      capture "seconds" {
        value = split("|", result.stdout)[1]
        type  = number
      }
      expect {
        condition = result.bytes <= var.max_lag_bytes
        message   = "db-b is ${result.bytes} bytes behind, more than ${var.max_lag_bytes}"
      }
      # A standby that was just restarted needs a moment to connect.
      poll {
        every  = "500ms"
        within = "15s"
      }
    }

    check "nobody-else-fails-over" {
      hosts         = host.app
      script        = "cat \"$HOME/failover.lock/run\""
      success_codes = "any"
      expect {
        condition = result.exit_code != 0
        message   = "run ${result.stdout} is failing over, or left its lock behind: $HOME/failover.lock on app"
      }
    }

    check "payments-flow" {
      hosts = host.app
      argv  = ["payments", "age"]
      capture "age" {
        value = result.stdout
        type  = number
      }
      expect {
        condition = result.age <= 10
        message   = "no payment was acknowledged for ${result.age} s: there is an outage already"
      }
    }

    # The application must be able to reach the new primary, or promoting it helps nobody.
    check "app-reaches-b" {
      tcp {
        address = "${host.db-b.address}:${local.pg_port}"
        from    = host.app
        want    = "open"
      }
    }
  }

  # From here on payments are refused.
  phase "freeze" {
    hosts   = host.db-a
    timeout = "1m"

    # Two failovers at once would undo each other. The lock bears this run's id, so that only this run removes it.
    step "take-lock" {
      hosts  = host.app
      script = "mkdir \"$HOME/failover.lock\" && echo \"$RUN\" >\"$HOME/failover.lock/run\""
      env    = { RUN = run.id }
      verify { script = "grep -qx \"$RUN\" \"$HOME/failover.lock/run\"" }
      rollback { script = local.release_lock }
    }

    step "freeze-writes" {
      argv        = ["psql", "-XAtq", "-c", "alter system set default_transaction_read_only = on", "-c", "select pg_reload_conf()"]
      marks_start = ["writes-frozen"]
      verify {
        argv = ["psql", "-XAtqc", "show default_transaction_read_only"]
        expect {
          condition = result.stdout == "on"
          message   = "new transactions can still write"
        }
        poll {
          every  = "200ms"
          within = "15s"
        }
      }
      rollback { argv = ["psql", "-XAtq", "-c", "alter system reset default_transaction_read_only", "-c", "select pg_reload_conf()"] }
    }

    check "caught-up" {
      argv = ["psql", "-XAtqc", "select pg_wal_lsn_diff(pg_current_wal_lsn(), replay_lsn) from pg_stat_replication where application_name = 'db-b'"]
      expect {
        condition = result.stdout == "0"
        message   = "db-b still lacks ${result.stdout} bytes"
      }
      poll {
        every  = "200ms"
        within = "30s"
      }
    }

    # A clean stop ships the last WAL, and is the fence: two primaries are worse than none.
    step "stop-old-primary" {
      argv = ["pg_ctl", "stop", "-m", "fast", "-w", "-t", "50"]
      verify {
        argv          = ["pg_isready", "-q"]
        success_codes = [2] # no answer at all
      }
      rollback { script = "pg_ctl status >/dev/null || pg_ctl start -w -t 50 -l \"$HOME/rollback.log\"" }
    }

    # Nothing can be acknowledged between here and the new primary.
    check "payments-before" {
      hosts = host.app
      argv  = ["payments", "count"]
      capture "count" {
        value = result.stdout
        type  = number
      }
    }
  }

  phase "promote" {
    hosts   = host.db-b
    timeout = "2m"

    step "promote" {
      argv         = ["pg_ctl", "promote", "-w", "-t", "60"]
      irreversible = true
      verify {
        argv = ["psql", "-XAtqc", "select pg_is_in_recovery()"]
        expect {
          condition = result.stdout == "f"
          message   = "db-b is still in recovery"
        }
        poll {
          every  = "200ms"
          within = "60s"
        }
      }
    }

    # Before the application writes again: what did site B come up with?
    check "newest-payment" {
      argv = ["psql", "-XAtqc", "select count(*), to_char(max(at), 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"') from payments"]
      capture "count" {
        value = split("|", result.stdout)[0]
        type  = number
      }
      capture "at" { value = split("|", result.stdout)[1] } # the servers' time zone is UTC
    }
  }

  phase "resume" {
    hosts   = host.app
    timeout = "1m"

    step "repoint" {
      argv       = ["payments", "point-at", host.db-b.address]
      idempotent = true
    }

    check "payments-resumed" {
      argv = ["payments", "count"]
      expect {
        condition = tonumber(result.stdout) > check.payments-before.count
        message   = "still no payment after the ${check.payments-before.count} before the outage"
      }
      poll {
        every  = "200ms"
        within = "30s"
      }
      marks = ["writes-resumed"]
    }
  }

  phase "verify" {
    # Every payment that the application was told is safe must be at site B.
    check "nothing-lost" {
      hosts   = host.app
      timeout = "1m"
      argv    = ["payments", "lost"]
      expect {
        condition = result.stdout == "0"
        message   = "${result.stdout} acknowledged payments are missing at site B"
      }
    }

    check "old-primary-is-off" {
      tcp {
        address = "${host.db-a.address}:${local.pg_port}"
        from    = host.app
        want    = "closed"
        witness = "${host.db-b.address}:${local.pg_port}"
      }
      marks = ["verified"]
    }
  }

  cleanup {
    step "release-lock" {
      hosts      = host.app
      script     = local.release_lock
      env        = { RUN = run.id }
      idempotent = true
      timeout    = "30s"
    }
  }
}
