# A mark is set by items, computed, or declared to be given; an objective is measured between marks.
runbook "r" {
  mark "declared" {}
  mark "computed" {
    at = "2026-01-01T10:00:00Z"
  }
  objective "one" {
    target = "15m"
    from   = "declared"
    to     = "stopped"
  }
  objective "two" {
    target = "15m"
    from   = "computed"
    to     = "begun"
  }
  phase "work" {
    step "stop" {
      hosts       = control
      argv        = ["true"]
      marks       = ["stopped"]
      marks_start = ["begun"]
    }
  }
}
