package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/retort-web/retort/signing"
)

// secretCommand makes a key for SECRET_KEY.
func secretCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "secret",
		Short: "Print a new secret key, for SECRET_KEY",
		Long: `Prints a random key that signs and encrypts sessions and tokens. Give it to the
program as SECRET_KEY, by its environment or a file .env that is not shared.`,
		Example: `  echo "SECRET_KEY=$(retort secret)" >> .env`,
		Args:    cobra.NoArgs,
		RunE: failing(func(cmd *cobra.Command, _ []string) error {
			_, err := fmt.Fprintln(cmd.OutOrStdout(), signing.NewKey())
			return err
		}),
	}
}
