# There are no dynamic blocks: what runs is written out.
runbook "r" {
  phase "p" {
    dynamic "step" { # want CON-S010 "has no block" at "dynamic"
      for_each = ["a"]
    }
    wait "w" {
      duration = "1s"
    }
  }
}
