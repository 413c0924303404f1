# A step with everything: unless, verify with poll, rollback, retry, rollout, captures and expectations.
host "a" {
  address = "10.0.0.1"
}

runbook "r" {
  phase "one" {
    step "all" {
      title          = "Promote ${host.a.name}"
      description    = "why"
      owner          = "dba"
      hosts          = [host.a]
      argv           = ["promote", self.name]
      stdin          = "y"
      success_codes  = [0, 3]
      become         = "postgres"
      working_dir    = "/srv"
      env            = { A = self.address }
      idempotent     = true
      typed          = "promote"
      timeout        = "2m"
      on_failure     = "continue"
      tolerate       = ["unreachable", "failed"]
      allow_no_hosts = true
      unless {
        argv          = ["test", "-e", "/done"]
        success_codes = "any"
        expect {
          condition = result.exit_code == 0
        }
      }
      verify {
        script = "test -e /done"
        poll {
          every  = "2s"
          within = "60s"
        }
        expect_all {
          condition = length(results) > 0
        }
      }
      rollback {
        argv   = ["demote", step.all.by_host["a"].stdout]
        become = "root"
      }
      retry {
        attempts  = 3
        delay     = "1s"
        backoff   = 2
        max_delay = "10s"
      }
      rollout {
        batch        = [1, "25%"]
        parallel     = 2
        pause        = "5s"
        max_failures = [0, "10%"]
        after_batch {
          argv = ["true"]
        }
      }
      capture "line" {
        value = split("\n", result.stdout)[0]
      }
      capture "count" {
        value = length(result.line)
        type  = number
      }
      expect {
        condition = result.count > 0
        message   = "nothing from ${self.name}: ${result.line}"
      }
      expect_all {
        condition = alltrue([for r in results : r.count > 0])
      }
    }
    step "each" {
      hosts         = host.a
      for_each      = ["x", "y"]
      max_items     = 10
      parallel_each = 2
      argv          = ["echo", each.key, each.value]
    }
    check "codes" {
      hosts         = host.a
      argv          = ["false"]
      success_codes = "nonzero"
    }
  }
}
