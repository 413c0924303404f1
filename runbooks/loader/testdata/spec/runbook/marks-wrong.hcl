runbook "r" {
  objective "one" {
    target = "15m"
    from   = "declared" # want CON-R018 "nothing sets or declares"
    to     = "stoped"   # want CON-R018 "nothing sets or declares"
  }
  objective "rpo" { # want CON-R018 "nothing sets or declares"
    target         = "1m"
    recovery_point = "2026-01-01T10:00:00Z"
  }
  phase "work" {
    step "stop" {
      hosts       = control
      argv        = ["true"]
      marks       = ["stopped"]
      marks_start = ["Not A Name"] # want CON-S020 "is no name of a mark"
    }
  }
}
