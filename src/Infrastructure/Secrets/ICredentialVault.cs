using Dashboard.Domain;
using Dashboard.Domain.Marketplaces;
using Dashboard.Domain.Teams;

namespace Dashboard.Infrastructure.Secrets;

/// <summary>Encrypts provider keys for one team and connection, and opens them again to become a request header.</summary>
public interface ICredentialVault
{
    /// <exception cref="CredentialRejectedException">The ciphertext belongs to another team or connection, is damaged, or its key ring is lost.</exception>
    Secret Reveal(Connection c);

    /// <returns>Ciphertext that only <see cref="Reveal"/> for the same team and connection can open.</returns>
    string Protect(TeamId team, ConnectionId id, Secret secret);
}
