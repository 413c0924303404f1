# Scripts are read with the grammar of their interpreter; $${ and %%{ are literal.
runbook "r" {
  variable "n" {
    type    = number
    default = 1
  }
  phase "p" {
    hosts = control
    step "posix" {
      script = <<-EOT
        if [ "$${A:-}" = x ]; then
          curl -sw '%%{http_code}' "$URL" | grep -q 200
        fi
      EOT
    }
    step "bash" {
      interpreter = ["/usr/bin/env", "bash", "-eu"]
      script      = "a=(1 2); echo \"$${a[0]}\""
    }
    step "python" {
      interpreter = ["/usr/bin/python3", "-"]
      script      = "print('if')"
    }
    step "value" {
      script = "head -n ${var.n} /etc/hosts"
    }
    step "one" {
      argv = ["if", "then"]
    }
  }
}
