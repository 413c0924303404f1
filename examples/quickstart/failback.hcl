# The way back: failover.hcl with the sites exchanged. It has its own file, and is drilled on its own, because a way back
# that was never walked is not one.

runbook "failback" {
  title    = "Move the orders service back from site B to site A"
  service  = "orders"
  owner    = "orders team"
  version  = "1.0.0"
  failback = runbook.failover

  exercise {
    type              = "switchover"
    production_impact = "none"
  }

  scenario {
    title       = "Site A must be left within the hour"
    severity    = "severe"
    assumptions = ["site B still answers, so that its last orders can be copied"]
  }

  variable "max_orders_behind" {
    type        = number
    default     = 1000
    description = "More than this is copied by hand, not by this runbook."
  }

  # When the clock of the recovery time starts. Here: with the run. In an incident: --at declared=2026-11-21T03:10:00Z
  mark "declared" { at = run.started_at }

  objective "recovery-time" {
    target = "2m"
    from   = "declared"
    to     = "verified"
  }

  # From the freeze back to the newest order that site A has: what a customer could have lost.
  objective "recovery-point" {
    target         = "30s"
    from           = "writes-frozen"
    recovery_point = check.orders-at-a.newest
  }

  objective "write-outage" {
    target = "1m"
    from   = "writes-frozen"
    to     = "writes-resumed"
  }

  # Only looking. All of this runs in a rehearsal too, and must hold before anything is touched.
  phase "assess" {
    check "b-takes-orders" {
      hosts = host.orders-b
      argv  = ["orders/orders", "role"]
      expect {
        condition = result.stdout == "active"
        message   = "site B is ${result.stdout}, not active: is the service at site A already?"
      }
    }

    check "a-stands-by" {
      hosts = host.orders-a
      argv  = ["orders/orders", "role"]
      expect {
        condition = result.stdout == "standby"
        message   = "site A is ${result.stdout}, not standby"
      }
    }

    check "a-has-space" {
      hosts = host.orders-a
      argv  = ["df", "-k", "--output=avail", "."]
      capture "free_kib" {
        value = trimspace(split("\n", result.stdout)[1])
        type  = number
      }
      expect {
        condition = result.free_kib > 10240
        message   = "only ${result.free_kib} KiB free at site A"
      }
    }

    check "orders-at-b" {
      hosts = host.orders-b
      argv  = ["orders/orders", "count"]
      capture "count" {
        value = result.stdout
        type  = number
      }
      expect {
        condition = result.count > 0 && result.count <= var.max_orders_behind
        message   = "${result.count} orders at site B, expected 1 to ${var.max_orders_behind}"
      }
    }
  }

  # From here on customers notice.
  phase "freeze" {
    hosts   = host.orders-b
    timeout = "30s"

    # One order with today's date, so that the recovery point is measured and not assumed.
    step "last-order" {
      argv = ["orders/orders", "add", "drill ${run.id}"]
      verify { argv = ["orders/orders", "has", "drill ${run.id}"] }
      rollback { argv = ["orders/orders", "drop", "drill ${run.id}"] }
    }

    step "freeze" {
      argv        = ["orders/orders", "freeze"]
      marks_start = ["writes-frozen"]
      verify {
        argv = ["orders/orders", "role"]
        expect {
          condition = result.stdout == "frozen"
          message   = "orders are still taken: the role is ${result.stdout}"
        }
      }
      rollback { argv = ["orders/orders", "thaw"] }
    }
  }

  phase "move" {
    timeout = "1m"

    check "frozen-orders" {
      hosts = host.orders-b
      argv  = ["orders/orders", "list"]
    }

    check "frozen-digest" {
      hosts = host.orders-b
      argv  = ["orders/orders", "digest"]
    }

    step "copy" {
      hosts = host.orders-a
      argv  = ["orders/orders", "receive"]
      stdin = "${check.frozen-orders.stdout}\n"
      verify {
        argv = ["orders/orders", "digest"]
        expect {
          condition = result.stdout == check.frozen-digest.stdout
          message   = "the copy differs: ${result.stdout} at site A, ${check.frozen-digest.stdout} at site B"
        }
      }
      rollback { argv = ["orders/orders", "restore"] }
    }

    check "orders-at-a" {
      hosts = host.orders-a
      argv  = ["orders/orders", "last"]
      capture "newest" { value = result.stdout }
    }

    # The point of no return: from here on new orders are at site A, and the way back is the failover runbook.
    step "activate-a" {
      hosts        = host.orders-a
      argv         = ["orders/orders", "activate"]
      irreversible = true
      marks        = ["writes-resumed"]
      verify {
        argv = ["orders/orders", "role"]
        expect {
          condition = result.stdout == "active"
          message   = "site A is ${result.stdout}"
        }
      }
    }

    step "retire-b" {
      hosts      = host.orders-b
      argv       = ["orders/orders", "retire"]
      idempotent = true
    }
  }

  phase "verify" {
    check "nothing-lost" {
      hosts = host.orders-a
      argv  = ["orders/orders", "count"]
      capture "count" {
        value = result.stdout
        type  = number
      }
      expect {
        # The one more is the order that the drill itself placed.
        condition = result.count == check.orders-at-b.count + 1
        message   = "${result.count} orders at site A, ${check.orders-at-b.count} + 1 expected"
      }
    }

    check "one-active-site" {
      hosts = host.orders-b
      argv  = ["orders/orders", "role"]
      expect {
        condition = result.stdout == "standby"
        message   = "both sites take orders: freeze one of them now"
      }
      marks = ["verified"]
    }
  }

  # Always runs, whatever happened above.
  cleanup {
    step "tidy" {
      hosts      = [host.orders-a, host.orders-b]
      argv       = ["rm", "-f", "orders/orders.new", "orders/orders.before", "orders/role.new"]
      idempotent = true
      timeout    = "30s"
    }
  }
}
