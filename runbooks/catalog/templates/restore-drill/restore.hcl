# A restore that was never tried is a hope. This one restores a small backup into a scratch directory, compares it with
# what was backed up, measures how long that took, and cleans up whatever happened.
#
#   continuo run restore          looks only: checks run, steps do not
#   continuo run restore --live   restores for real

runbook "restore" {
  title     = "Restore the orders from the backup"
  service   = "orders"
  owner     = "orders team"
  version   = "0.1.0"
  review_by = "2027-12-31"

  exercise {
    type              = "restore-test"
    production_impact = "none"
  }
  scenario {
    title       = "The orders were deleted by mistake"
    severity    = "moderate"
    assumptions = ["the backup is readable"]
  }

  variable "scratch" {
    description = "Directory that the drill makes and removes."
    default     = "/tmp/continuo-restore-drill"
    validation {
      condition = startswith(var.scratch, "/tmp/")
      message   = "it is removed at the end, so it must lie in /tmp"
    }
  }

  objective "recovery-time" {
    target = "1m"
    from   = "restore-began"
    to     = "verified"
  }
  objective "orders-lost" {
    value   = check.restored-orders.lost
    at_most = 0
  }

  # Only looking: this runs in a rehearsal too, and must hold before anything is touched.
  phase "assess" {
    hosts   = control
    timeout = "30s"

    assert "the-backup-has-orders" {
      condition = length(local.orders) > 0
      message   = "the backup is empty"
    }
    check "space" {
      argv = ["df", "-Pk", "/tmp"]
      capture "free_kib" {
        value = regexall("[^ ]+", split("\n", result.stdout)[1])[3]
        type  = number
      }
      expect {
        condition = result.free_kib > 1024
        message   = "only ${result.free_kib} KiB free in /tmp"
      }
    }
    check "nothing-in-the-way" {
      argv = ["test", "!", "-e", var.scratch]
      expect {
        condition = result.exit_code == 0
        message   = "${var.scratch} exists already: is another drill running?"
      }
    }
  }

  phase "restore" {
    hosts   = control
    timeout = "30s"
    env     = { SCRATCH = var.scratch }

    step "scratch" {
      argv        = ["mkdir", "-m", "0700", var.scratch]
      marks_start = ["restore-began"]
      verify { argv = ["test", "-d", var.scratch] }
      rollback { argv = ["rm", "-rf", var.scratch] }
    }
    step "orders" {
      script = "cat > \"$SCRATCH/orders.csv\""
      stdin  = local.backup
      verify {
        script = "cat \"$SCRATCH/orders.csv\""
        expect {
          condition = trimspace(result.stdout) == trimspace(local.backup)
          message   = "what was restored differs from the backup"
        }
      }
      rollback { argv = ["rm", "-f", "${var.scratch}/orders.csv"] }
    }
  }

  phase "verify" {
    hosts   = control
    timeout = "30s"

    check "restored-orders" {
      argv = ["cat", "${var.scratch}/orders.csv"]
      capture "count" {
        value = length(csvdecode(result.stdout))
        type  = number
      }
      capture "lost" {
        value = length(local.orders) - result.count
        type  = number
      }
      expect {
        condition = result.count == length(local.orders)
        message   = "${result.count} orders restored, ${length(local.orders)} in the backup"
      }
      marks = ["verified"]
    }
  }

  cleanup {
    step "remove-scratch" {
      hosts      = control
      argv       = ["rm", "-rf", var.scratch]
      when       = step.scratch.started
      idempotent = true
      timeout    = "30s"
    }
  }
}
