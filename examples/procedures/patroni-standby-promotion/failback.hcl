# Return to DC1 once it is whole again. The data decides: what DC1 committed alone before it was fenced must be looked at
# by a person before pg_rewind throws it away.

runbook "return-to-dc1" {
  title     = "Make DC1 the standby again, then switch back"
  service   = "payments"
  owner     = "payments-sre@example.org"
  version   = "1.0.2"
  review_by = "2027-03-31"
  failback  = runbook.promote-dc2

  objective "write-outage" {
    target = "5m"
    from   = "writes-stopped"
    to     = "recovered"
  }

  phase "examine" {
    manual "diverged-rows" {
      instructions = "Compare the rows that DC1 committed after the last one that DC2 received, and save what must be kept."
      owner        = "payments-sre@example.org"
    }
    decision "rebuild" {
      question = "How does DC1 become a standby again?"
      role     = role.major-incident-manager
      options  = ["rewind", "rebuild", "not today"]
      stops    = ["not today"]
    }
  }

  phase "rejoin" {
    step "rewind" {
      when       = decision.rebuild.choice == "rewind"
      hosts      = host.pg-2a
      become     = "postgres"
      argv       = ["/usr/local/sbin/dc1-rejoin", "--rewind"]
      timeout    = "30m"
      idempotent = true
      rollback { argv = ["/usr/local/sbin/dc1-leave"] }
    }
    step "rebuild" {
      when       = decision.rebuild.choice == "rebuild"
      hosts      = host.pg-2a
      become     = "postgres"
      argv       = ["/usr/local/sbin/dc1-rejoin", "--rebuild"]
      timeout    = "6h"
      idempotent = true
      rollback { argv = ["/usr/local/sbin/dc1-leave"] }
    }
    check "dc1-follows" {
      hosts  = host.pg-2a
      become = "postgres"
      argv   = ["psql", "-XAtqc", "select count(*) from pg_stat_replication where state = 'streaming'"]
      expect {
        condition = tonumber(result.stdout) >= 1
        message   = "nothing streams from DC2 yet"
      }
      poll {
        every  = "10s"
        within = "30m"
      }
    }
  }

  phase "switch back" {
    gate "switch" {
      question  = "Switch back to DC1 now? Writes stop for about two minutes."
      role      = role.major-incident-manager
      approvals = 2
      expires   = "1h"
    }
    step "switchover" {
      hosts        = host.pg-2a
      become       = "postgres"
      argv         = ["/usr/local/sbin/dc-switchover", "--to", "dc1"]
      requires     = [gate.switch]
      timeout      = "5m"
      irreversible = true
      marks_start  = ["writes-stopped"]
      marks        = ["recovered"]
      verify {
        argv = ["psql", "-XAtqc", "select pg_is_in_recovery()"]
        expect {
          condition = result.stdout == "t"
          message   = "DC2 did not become a standby"
        }
        poll {
          every  = "2s"
          within = "120s"
        }
      }
    }
  }
}
