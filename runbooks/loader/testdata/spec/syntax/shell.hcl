runbook "r" {
  phase "p" {
    step "s" {
      hosts  = control
      script = "echo ${VAR:-x}" # want CON-S005 "this is none"
    }
  }
}
