host "a" {
  address = "10.0.0.1"
}

runbook "r" {
  phase "one" {
    step "all" {
      hosts         = [host.a]
      argv          = ["true"]
      success_codes = "some"  # want CON-S023 "cannot be"
      timeout       = 30      # want CON-S024 "is a duration"
      max_items     = 3       # want CON-S028 "goes with for_each only"
      verify { # want CON-S027 "does not say what it runs"
        poll { # want CON-S026 "once only"
          every  = "1m"
          within = "1s"
        }
      }
      retry {
        attempts = 0  # want CON-S026 "not from 1 to 100"
        backoff  = 99 # want CON-S026 "not from 1 to 10"
      }
      rollout {
        batch        = ["0%"]    # want CON-S025
        max_failures = "10 %"    # want CON-S025
        parallel     = "2"       # want CON-S022 "is a whole number"
      }
      capture "stdout" { # want CON-S020 "cannot be called"
        value = "x"
      }
      capture "a" {
        value = result.b # want CON-E006
      }
      capture "b" {
        value = "x"
      }
      capture "b" { # want CON-S040 "is declared twice"
        value = "x"
      }
    }
    step "codes" {
      hosts         = [host.a]
      argv          = ["true"]
      success_codes = [] # want CON-S026 "is empty"
    }
    step "code" {
      hosts         = [host.a]
      argv          = ["true"]
      success_codes = [256] # want CON-S026 "not from 0 to 255"
    }
    check "together" {
      hosts = [host.a]
      argv  = ["true"]
      poll {
        within = "1m"
      }
      rollout { # want CON-S028 "divides them"
        batch = 1
      }
      expect_all {
        condition = true
      }
    }
    step "failures" {
      hosts = [host.a]
      argv  = ["true"]
      rollout {
        batch        = [1, 5]
        max_failures = [1, 2, 3] # want CON-S025 "more elements than batch"
      }
    }
  }
}
