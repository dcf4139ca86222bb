"""The public web: forms, links and the pages behind them. No login, no cookies, no scripts."""
