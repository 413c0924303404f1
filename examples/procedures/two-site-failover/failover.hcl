# Fail the shop over to site B: database, application and edge by their own runbooks, side by side where they can.

runbook "failover" {
  title        = "Fail the shop over to site B"
  service      = "shop"
  owner        = "major-incident@example.org"
  version      = "1.0.0"
  review_by    = "2027-03-31"
  failback     = runbook.failback
  update_every = "15m"

  mark "declared" {}

  objective "rto" {
    target = "30m"
    from   = "declared"
    to     = "verified"
  }

  phase "approve" {
    gate "failover" {
      question  = "Fail over to site B?"
      role      = role.major-incident-manager
      approvals = 2
      expires   = "30m"
    }
  }

  phase "move" {
    lane "database" {
      owner = "dba@example.org"
      call "db" {
        runbook  = runbook.promote-database
        requires = [gate.failover]
      }
    }
    lane "application" {
      owner = "shop@example.org"
      call "app" {
        runbook  = runbook.start-application
        requires = [gate.failover]
      }
    }
    lane "edge" {
      owner = "network@example.org"
      call "edge" {
        runbook   = runbook.prepare-edge
        requires  = [gate.failover]
        variables = { ttl_s = 30 }
      }
    }
  }

  phase "verify" {
    check "order" {
      http {
        url         = "https://shop.example.org/healthz/order"
        want_status = [200]
      }
      poll {
        every  = "5s"
        within = "5m"
      }
      marks = ["verified"]
    }
  }
}

runbook "promote-database" {
  title     = "Promote the database at site B"
  service   = "shop"
  owner     = "dba@example.org"
  version   = "1.0.0"
  review_by = "2027-03-31"
  failback  = runbook.failback

  objective "promotion" {
    target = "5m"
    from   = "promotion-begun"
    to     = "promoted"
  }

  phase "promote" {
    gate "data-loss" {
      question  = "Accept the loss of what was not replicated?"
      role      = role.major-incident-manager
      approvals = 1
      expires   = "15m"
    }
    step "promote" {
      hosts        = host.db-b
      become       = "postgres"
      argv         = ["pg_ctlcluster", "15", "main", "promote"]
      requires     = [gate.data-loss]
      timeout      = "2m"
      irreversible = true
      marks_start  = ["promotion-begun"]
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
}

runbook "start-application" {
  title     = "Start the application at site B"
  service   = "shop"
  owner     = "shop@example.org"
  version   = "1.0.0"
  review_by = "2027-03-31"
  failback  = runbook.failback

  objective "start" {
    target = "10m"
    from   = "start-begun"
    to     = "started"
  }

  phase "start" {
    hosts  = host.app-b
    become = "root"

    step "start" {
      argv        = ["systemctl", "start", "shop"]
      timeout     = "2m"
      idempotent  = true
      marks_start = ["start-begun"]
      rollback { argv = ["systemctl", "stop", "shop"] }
    }
    check "listens" {
      tcp {
        address = "127.0.0.1:8080"
        from    = host.app-b
        want    = "open"
      }
      poll {
        every  = "2s"
        within = "3m"
      }
      marks = ["started"]
    }
  }
}

runbook "prepare-edge" {
  title     = "Send visitors to site B"
  service   = "shop"
  owner     = "network@example.org"
  version   = "1.0.0"
  review_by = "2027-03-31"
  failback  = runbook.failback

  variable "ttl_s" {
    type    = number
    default = 60
  }

  objective "edge" {
    target = "10m"
    from   = "edge-begun"
    to     = "edge-moved"
  }

  phase "edge" {
    step "route" {
      hosts       = host.edge-b
      become      = "root"
      argv        = ["/usr/local/sbin/set-route", "shop", "b", "--ttl", tostring(var.ttl_s)]
      timeout     = "1m"
      idempotent  = true
      marks_start = ["edge-begun"]
      marks       = ["edge-moved"]
      rollback { argv = ["/usr/local/sbin/set-route", "shop", "a"] }
    }
  }
}

runbook "failback" {
  title     = "Return the shop to site A"
  service   = "shop"
  owner     = "major-incident@example.org"
  version   = "1.0.0"
  review_by = "2027-03-31"
  failback  = runbook.failover

  objective "return" {
    target = "1h"
    from   = "return-begun"
    to     = "returned"
  }

  phase "return" {
    manual "prepare" {
      instructions = "Make site A a standby again and wait until it has caught up."
      owner        = "dba@example.org"
    }
    step "route" {
      hosts       = host.edge-b
      become      = "root"
      argv        = ["/usr/local/sbin/set-route", "shop", "a"]
      timeout     = "1m"
      idempotent  = true
      marks_start = ["return-begun"]
      marks       = ["returned"]
      rollback { argv = ["/usr/local/sbin/set-route", "shop", "b"] }
    }
  }
}
