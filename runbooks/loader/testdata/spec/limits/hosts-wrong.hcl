fleet "web" {
  for_each = flatten([for a in range(21) : [for b in range(1000) : a * b]]) # want CON-G002 "hosts"
  name     = "web${each.key}"
  address  = "10.0.0.1"
}
