using System.Security.Cryptography;
using Dashboard.Domain;
using Dashboard.Domain.Marketplaces;
using Dashboard.Domain.Teams;
using Microsoft.AspNetCore.DataProtection;
using Secret = Dashboard.Domain.Marketplaces.Secret;

namespace Dashboard.Infrastructure.Secrets;

internal sealed class CredentialVault(IDataProtectionProvider protection) : ICredentialVault
{
    public Secret Reveal(Connection c)
    {
        try
        {
            return new Secret(ProtectorOf(c.TeamId, c.Id).Unprotect(c.ProtectedKey));
        }
        catch (CryptographicException error)
        {
            throw new CredentialRejectedException("The stored key cannot be decrypted. Enter it again.", error);
        }
    }

    public string Protect(TeamId team, ConnectionId id, Secret secret) => ProtectorOf(team, id).Protect(secret.Reveal());

    // The purpose names both owners, so a ciphertext copied into another row opens nowhere.
    private IDataProtector ProtectorOf(TeamId team, ConnectionId id) => protection.CreateProtector($"team:{team}/connection:{id}");
}
