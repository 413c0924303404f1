runbook "r" {
  phase "p" {
    step "s" {
      hosts = control
      argv  = ["curl", "-w", "%{http_code}", "https://example.org"] # want CON-S005 "begins a template directive"
    }
  }
}
