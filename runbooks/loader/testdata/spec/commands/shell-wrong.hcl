runbook "r" {
  phase "p" {
    hosts = control
    step "unclosed" {
      script = "echo 'x" # want CON-S033 "reached EOF without closing quote"
    }
    step "heredoc" {
      script = <<-EOT
        echo one
        if true; then # want CON-S033 "must end with"
          echo two
      EOT
    }
    step "bashism" {
      script = "a=(1 2)" # want CON-S033 "not valid shell"
    }
    step "interpreter" {
      interpreter = "bash" # want CON-S022 "is a list of texts"
      script      = "true"
    }
    step "empty" {
      interpreter = [] # want CON-S031 "is empty"
      script      = "true"
    }
    step "line" {
      interpreter = ["bash -eu"] # want CON-S031 "is no program"
      script      = "true"
    }
    step "argv" {
      interpreter = ["bash"] # want CON-S028 "goes with script only"
      argv        = ["true"]
    }
    step "words" {
      argv = ["systemctl stop app"] # want CON-T004 "is no program"
    }
    step "part" {
      argv = ["true"]
      verify {
        script = "if" # want CON-S033
      }
    }
  }
}
