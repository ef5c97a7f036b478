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

    /// <summary>Opens a secret of a notification channel.</summary>
    /// <param name="part">Which: <c>address</c> or <c>signing</c>.</param>
    /// <exception cref="CredentialRejectedException">The ciphertext belongs to another team, channel or part, is damaged, or its key ring is lost.</exception>
    Secret Reveal(TeamId team, ChannelId id, string part, string ciphertext);

    /// <returns>Ciphertext that only <see cref="Reveal(TeamId, ChannelId, string, string)"/> with the same owners can open.</returns>
    string Protect(TeamId team, ChannelId id, string part, Secret secret);
}
