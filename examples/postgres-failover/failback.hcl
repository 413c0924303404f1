# The way back: db-a follows db-b until it has everything, then the roles change again, and db-b follows db-a. At its end
# everything is as it was before the failover, with all payments.
#
# db-a was stopped cleanly and db-b had received its last byte: it can follow without being copied anew. After a failover
# from a site that was lost, `pg_rewind` or a new base backup takes the place of the first phase.

runbook "failback" {
  title    = "Bring the payments database back to site A"
  service  = "payments"
  owner    = "database team"
  version  = "1.0.0"
  failback = runbook.failover

  on_failure = "rollback"

  exercise {
    type              = "switchover"
    production_impact = "none"
  }

  locals {
    # Lets a stopped server follow the one at $PRIMARY, and write again once it is promoted.
    follow       = <<-SH
      sed -i -e '/^default_transaction_read_only/d' -e '/^primary_conninfo/d' "$PGDATA/postgresql.auto.conf"
      echo "primary_conninfo = 'host=$PRIMARY port=$PGPORT user=replicator passfile=$PGPASSFILE'" >>"$PGDATA/postgresql.auto.conf"
      touch "$PGDATA/standby.signal"
      pg_ctl start -w -t 50 -l "$HOME/postgresql.log"
    SH
    in_recovery  = ["psql", "-XAtqc", "select pg_is_in_recovery()"]
    release_lock = "if grep -qxs \"$RUN\" \"$HOME/failover.lock/run\"; then rm -r \"$HOME/failover.lock\"; fi"
  }

  mark "declared" { at = run.started_at }

  objective "write-outage" {
    target = "1m"
    from   = "writes-frozen"
    to     = "writes-resumed"
  }

  objective "time-to-normal" {
    target = "10m"
    from   = "declared"
    to     = "protected"
  }

  phase "assess" {
    timeout = "30s"

    check "primary" {
      hosts = host.db-b
      argv  = local.in_recovery
      expect {
        condition = result.stdout == "f"
        message   = "db-b is not the primary: there is nothing to bring back"
      }
    }

    check "payments-flow" {
      hosts = host.app
      argv  = ["payments", "age"]
      expect {
        condition = tonumber(result.stdout) <= 10
        message   = "no payment was acknowledged for ${result.stdout} s"
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
  }

  # Payments go on at site B while site A catches up.
  phase "follow" {
    timeout = "2m"

    step "take-lock" {
      hosts  = host.app
      script = "mkdir \"$HOME/failover.lock\" && echo \"$RUN\" >\"$HOME/failover.lock/run\""
      env    = { RUN = run.id }
      verify { script = "grep -qx \"$RUN\" \"$HOME/failover.lock/run\"" }
      rollback { script = local.release_lock }
    }

    step "follow-b" {
      hosts  = host.db-a
      script = local.follow
      env    = { PRIMARY = host.db-b.address }
      unless { argv = ["pg_isready", "-q"] }
      verify {
        argv = local.in_recovery
        expect {
          condition = result.stdout == "t"
          message   = "db-a runs, but not as a standby: stop it before it takes writes"
        }
      }
      rollback { script = "! pg_ctl status >/dev/null || pg_ctl stop -m fast -w" }
    }

    check "a-streams" {
      hosts = host.db-b
      argv  = ["psql", "-XAtqc", "select pg_wal_lsn_diff(pg_current_wal_lsn(), replay_lsn) from pg_stat_replication where application_name = 'db-a' and state = 'streaming'"]
      capture "bytes" {
        value = result.stdout
        type  = number
      }
      expect {
        condition = result.bytes < 1048576
        message   = "db-a is ${result.bytes} bytes behind"
      }
      poll {
        every  = "500ms"
        within = "1m"
      }
    }
  }

  # From here on payments are refused.
  phase "change over" {
    timeout = "2m"

    step "freeze-writes" {
      hosts       = host.db-b
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
      hosts = host.db-b
      argv  = ["psql", "-XAtqc", "select pg_wal_lsn_diff(pg_current_wal_lsn(), replay_lsn) from pg_stat_replication where application_name = 'db-a'"]
      expect {
        condition = result.stdout == "0"
        message   = "db-a still lacks ${result.stdout} bytes"
      }
      poll {
        every  = "200ms"
        within = "30s"
      }
    }

    step "stop-b" {
      hosts = host.db-b
      argv  = ["pg_ctl", "stop", "-m", "fast", "-w", "-t", "50"]
      verify {
        argv          = ["pg_isready", "-q"]
        success_codes = [2] # no answer at all
      }
      rollback { script = "pg_ctl status >/dev/null || pg_ctl start -w -t 50 -l \"$HOME/rollback.log\"" }
    }

    check "payments-before" {
      hosts = host.app
      argv  = ["payments", "count"]
      capture "count" {
        value = result.stdout
        type  = number
      }
    }

    step "promote-a" {
      hosts        = host.db-a
      argv         = ["pg_ctl", "promote", "-w", "-t", "60"]
      irreversible = true
      verify {
        argv = local.in_recovery
        expect {
          condition = result.stdout == "f"
          message   = "db-a is still in recovery"
        }
        poll {
          every  = "200ms"
          within = "60s"
        }
      }
    }

    step "repoint" {
      hosts      = host.app
      argv       = ["payments", "point-at", host.db-a.address]
      idempotent = true
    }

    check "payments-resumed" {
      hosts = host.app
      argv  = ["payments", "count"]
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

    check "nothing-lost" {
      hosts = host.app
      argv  = ["payments", "lost"]
      expect {
        condition = result.stdout == "0"
        message   = "${result.stdout} acknowledged payments are missing at site A"
      }
    }
  }

  # Normal is when the next failure is survived too.
  phase "protect" {
    timeout = "2m"

    step "follow-a" {
      hosts  = host.db-b
      script = local.follow
      env    = { PRIMARY = host.db-a.address }
      unless { argv = ["pg_isready", "-q"] }
      verify {
        argv = local.in_recovery
        expect {
          condition = result.stdout == "t"
          message   = "db-b runs, but not as a standby: stop it before it takes writes"
        }
      }
    }

    check "b-streams" {
      hosts = host.db-a
      argv  = ["psql", "-XAtqc", "select count(*) from pg_stat_replication where application_name = 'db-b' and state = 'streaming'"]
      expect {
        condition = result.stdout == "1"
        message   = "db-b does not stream from db-a: site A has no standby"
      }
      poll {
        every  = "500ms"
        within = "1m"
      }
      marks = ["protected"]
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
