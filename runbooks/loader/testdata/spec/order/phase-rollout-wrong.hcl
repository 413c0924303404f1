host "a" {
  address = "10.0.0.1"
}

runbook "r" {
  phase "no hosts" {
    rollout { # want CON-S014 "has a rollout and no hosts"
      batch = 1
    }
    wait "w" {
      duration = "1s"
    }
  }
  phase "no rollout" {
    hosts = [host.a]
    step "s" {
      for_each = batch # want CON-R019 "batch has no meaning here"
      argv     = ["true"]
    }
  }
}

runbook "s" {
  phase "not hosts" {
    hosts = "a" # want CON-T003
    rollout {
      batch = "half" # want CON-S025
      after_batch { # want CON-S027 "does not say what it runs"
      }
    }
    step "t" {
      argv = ["true"]
    }
  }
}
