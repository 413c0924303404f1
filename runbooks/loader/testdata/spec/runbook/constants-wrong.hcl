# What shapes the plan is known before anything runs.
secret "token" {
  env = "TOKEN"
}

runbook "r" {
  variable "patience" {
    default = "1m"
  }
  title = "Wait ${var.patience}" # want CON-S021 "must be a constant" at "var.patience"
  phase "p" {
    on_failure = var.patience # want CON-S021 "must be a constant"
    timeout    = var.patience # want CON-S021 "must be a constant"
    check "a" {
      hosts = control
      argv  = ["true"]
      marks = [var.patience] # want CON-S021 "must be a constant"
      rollout {
        batch = var.patience # want CON-S021 "must be a constant"
      }
      poll {
        within = var.patience # want CON-S021 "must be a constant"
      }
    }
    decision "b" {
      question = "Wait ${var.patience}?"
      options  = [var.patience, "no"] # want CON-S021 "must be a constant"
    }
    manual "c" {
      instructions = "Wait ${var.patience}."
      input "d" {
        sensitive = var.patience # want CON-S021 "must be a constant"
      }
    }
  }
}
