# Planned switchover by GTID. Nothing is lost: writes stop, the candidate catches up, roles change. If the candidate does
# not catch up in ten seconds, everything is taken back by itself.

runbook "switchover" {
  title      = "Planned switchover of the orders database to db-2"
  service    = "orders"
  owner      = "dba@example.org"
  version    = "2.2.0"
  review_by  = "2027-04-30"
  failback   = runbook.switchover
  on_failure = "rollback"

  exercise {
    type              = "switchover"
    production_impact = "degraded"
  }

  variable "endpoint" {
    type    = string
    default = "orders-db.example.org"
  }

  locals {
    sql = ["mysql", "--batch", "--skip-column-names", "-e"]
    env = { MYSQL_PWD = secret.mysql }
  }

  objective "write-outage" {
    target = "60s"
    from   = "writes-frozen"
    to     = "writes-back"
  }

  phase "assess" {
    check "replication" {
      hosts = host.db-2
      argv  = concat(local.sql, ["select service_state, last_error_number from performance_schema.replication_applier_status_by_worker limit 1"])
      env   = local.env
      expect {
        condition = startswith(result.stdout, "ON")
        message   = "the applier of db-2 is not running"
      }
    }
    check "source-gtids" {
      hosts = host.db-1
      argv  = concat(local.sql, ["select replace(@@global.gtid_executed, '\\n', '')"])
      env   = local.env
    }
    check "no-errant-transactions" {
      hosts = host.db-2
      argv  = concat(local.sql, ["select gtid_subset(@@global.gtid_executed, '${check.source-gtids.stdout}')"])
      env   = local.env
      expect {
        condition = result.stdout == "1"
        message   = "db-2 has transactions that db-1 never had"
      }
    }
  }

  phase "switch" {
    gate "go" {
      question  = "Freeze writes and switch the orders database to db-2?"
      role      = role.dba
      approvals = 1
      expires   = "30m"
    }
    step "freeze" {
      hosts       = host.db-1
      argv        = concat(local.sql, ["set global super_read_only = 1"])
      env         = local.env
      requires    = [gate.go]
      timeout     = "10s"
      idempotent  = true
      marks_start = ["writes-frozen"]
      rollback { argv = concat(local.sql, ["set global read_only = 0"]) }
    }
    check "frozen-at" {
      hosts = host.db-1
      argv  = concat(local.sql, ["select replace(@@global.gtid_executed, '\\n', '')"])
      env   = local.env
      after = [step.freeze]
    }
    check "caught-up" {
      hosts   = host.db-2
      argv    = concat(local.sql, ["select wait_for_executed_gtid_set('${check.frozen-at.stdout}', 10)"])
      env     = local.env
      timeout = "20s"
      expect {
        condition = result.stdout == "0"
        message   = "db-2 did not catch up within 10 s: taking everything back"
      }
    }
    step "promote" {
      hosts   = host.db-2
      argv    = concat(local.sql, ["stop replica; reset replica all; set global read_only = 0"])
      env     = local.env
      timeout = "30s"
      verify {
        argv = concat(local.sql, ["select @@global.read_only"])
        env  = local.env
        expect {
          condition = result.stdout == "0"
          message   = "db-2 is still read-only"
        }
      }
      requires     = [gate.go]
      irreversible = true
    }
    step "endpoint" {
      hosts      = control
      argv       = ["/usr/local/bin/set-endpoint", var.endpoint, host.db-2.address]
      timeout    = "1m"
      idempotent = true
    }
    check "write-probe" {
      hosts = control
      argv  = concat(["mysql", "--host", var.endpoint], slice(local.sql, 1, length(local.sql)), ["insert into probe.run values ('${run.id}'); select @@server_id"])
      env   = local.env
      poll {
        every  = "2s"
        within = "2m"
      }
      marks = ["writes-back"]
    }
  }

  phase "rearrange" {
    step "old-source-follows" {
      hosts      = host.db-1
      script     = file("scripts/follow.sh")
      env        = { MYSQL_PWD = secret.mysql, SOURCE = host.db-2.address, REPLICATION_PASSWORD = secret.replication }
      timeout    = "1m"
      idempotent = true
    }
    step "replicas-follow" {
      hosts      = group.others
      script     = file("scripts/follow.sh")
      env        = { MYSQL_PWD = secret.mysql, SOURCE = host.db-2.address, REPLICATION_PASSWORD = secret.replication }
      timeout    = "1m"
      idempotent = true
      rollout {
        batch        = 1
        pause        = "5s"
        max_failures = 0
      }
    }
  }
}
