SELECT 1 AS print_0
