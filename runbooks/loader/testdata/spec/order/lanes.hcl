# Lanes run side by side; what follows waits for all of them.
runbook "r" {
  phase "one" {
    wait "before" {
      duration = "1s"
    }
    lane "network" {
      owner = "network team"
      wait "a1" {
        duration = "1s"
      }
      wait "a2" {
        duration = "1s"
      }
    }
    lane "database" {
      wait "b1" {
        duration = "1s"
      }
    }
    wait "afterwards" {
      duration = "1s"
    }
  }
}
