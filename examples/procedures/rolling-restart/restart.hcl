# Restart 200 web servers: one first, then five, then a quarter at a time. Each batch is drained on the load balancers
# before it is touched and comes back only when it is healthy.

runbook "rolling-restart" {
  title     = "Rolling restart of the web servers"
  service   = "web"
  owner     = "web@example.org"
  version   = "1.0.0"
  review_by = "2027-03-31"

  objective "duration" {
    target = "1h"
    from   = "begun"
    to     = "done"
  }

  phase "before" {
    check "balancers-answer" {
      hosts = group.lb
      argv  = ["/usr/local/sbin/lbctl", "status"]
    }
  }

  phase "restart" {
    hosts = group.web

    rollout {
      batch        = [1, 5, "25%"]
      parallel     = 25
      pause        = "30s"
      max_failures = [0, 1, 3]

      after_batch {
        argv = ["curl", "-fsS", "-o", "/dev/null", "http://localhost/healthz"]
      }
    }

    step "drain" {
      hosts       = group.lb
      for_each    = batch
      argv        = ["/usr/local/sbin/lbctl", "drain", each.value.name]
      timeout     = "1m"
      idempotent  = true
      marks_start = ["begun"]
      rollback { argv = ["/usr/local/sbin/lbctl", "ready", each.value.name] }
    }
    step "restart" {
      become  = "root"
      argv    = ["systemctl", "restart", "web"]
      timeout = "2m"
      verify {
        argv = ["curl", "-fsS", "-o", "/dev/null", "http://localhost/healthz"]
        poll {
          every  = "2s"
          within = "1m"
        }
      }
      rollback { argv = ["systemctl", "restart", "web"] }
    }
    step "undrain" {
      hosts      = group.lb
      for_each   = batch
      argv       = ["/usr/local/sbin/lbctl", "ready", each.value.name]
      timeout    = "1m"
      idempotent = true
      marks      = ["done"]
      rollback { argv = ["/usr/local/sbin/lbctl", "drain", each.value.name] }
    }
  }
}
