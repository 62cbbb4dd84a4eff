"""Payment providers: one interface (`base`), one folder a provider. No other room knows a vendor's words."""
