# Cleanup always runs; it may use what items before it left.
runbook "r" {
  phase "p" {
    step "lock" {
      hosts = control
      argv  = ["touch", "/run/lock"]
    }
  }
  cleanup {
    hosts   = control
    timeout = "1m"
    step "unlock" {
      argv = ["rm", "-f", "/run/lock"]
      when = step.lock.started
    }
    check "unlocked" {
      argv = ["test", "!", "-e", "/run/lock"]
    }
    manual "tell" {
      instructions = "Say that it is over."
    }
  }
}
