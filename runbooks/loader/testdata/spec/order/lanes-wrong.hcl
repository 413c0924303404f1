runbook "r" {
  phase "one" {
    lane "a" {
      wait "x" {
        duration = "1s"
      }
    }
    lane "a" { # want CON-S040 "is declared twice"
      wait "y" {
        duration = "1s"
      }
    }
    lane "b" {
      wait "x" { # want CON-S040 "is declared twice"
        duration = "1s"
      }
      lane "c" { # want CON-S010 "has no block"
      }
    }
  }
}
