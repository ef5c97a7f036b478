using System.Security.Cryptography;
using Dashboard.Domain;
using Dashboard.Domain.Marketplaces;
using Dashboard.Domain.Teams;
using Microsoft.AspNetCore.DataProtection;
using Secret = Dashboard.Domain.Marketplaces.Secret;

namespace Dashboard.Infrastructure.Secrets;

internal sealed class CredentialVault(IDataProtectionProvider protection) : ICredentialVault
{
    public Secret Reveal(Connection c) => Open(ProtectorOf(c.TeamId, c.Id), c.ProtectedKey);

    public string Protect(TeamId team, ConnectionId id, Secret secret) => ProtectorOf(team, id).Protect(secret.Reveal());

    public Secret Reveal(TeamId team, ChannelId id, string part, string ciphertext) => Open(ProtectorOf(team, id, part), ciphertext);

    public string Protect(TeamId team, ChannelId id, string part, Secret secret) => ProtectorOf(team, id, part).Protect(secret.Reveal());

    private static Secret Open(IDataProtector protector, string ciphertext)
    {
        try
        {
            return new Secret(protector.Unprotect(ciphertext));
        }
        catch (CryptographicException error)
        {
            throw new CredentialRejectedException("The stored key cannot be decrypted. Enter it again.", error);
        }
    }

    // The purpose names both owners, so a ciphertext copied into another row opens nowhere.
    private IDataProtector ProtectorOf(TeamId team, ConnectionId id) => protection.CreateProtector($"team:{team}/connection:{id}");

    private IDataProtector ProtectorOf(TeamId team, ChannelId id, string part) => protection.CreateProtector($"team:{team}/channel:{id}/{part}");
}
