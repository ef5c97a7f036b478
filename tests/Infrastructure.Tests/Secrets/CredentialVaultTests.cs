using Dashboard.Domain;
using Dashboard.Domain.Marketplaces;
using Dashboard.Domain.Teams;
using Dashboard.Infrastructure.Secrets;
using Microsoft.AspNetCore.DataProtection;
using Secret = Dashboard.Domain.Marketplaces.Secret;

namespace Dashboard.Infrastructure.Tests.Secrets;

public sealed class CredentialVaultTests
{
    private readonly CredentialVault _vault = new(new EphemeralDataProtectionProvider());
    private readonly TeamId _team = new(Guid.NewGuid());
    private readonly ConnectionId _id = new(Guid.NewGuid());

    [Fact]
    public void A_key_comes_back_for_the_connection_it_was_stored_for()
    {
        var stored = _vault.Protect(_team, _id, new Secret("canary"));

        Assert.DoesNotContain("canary", stored, StringComparison.Ordinal);
        Assert.Equal("canary", _vault.Reveal(ConnectionOf(_team, _id, stored)).Reveal());
    }

    [Fact]
    public void A_ciphertext_moved_to_another_team_or_connection_does_not_open()
    {
        var stored = _vault.Protect(_team, _id, new Secret("canary"));

        Assert.Throws<CredentialRejectedException>(() => _vault.Reveal(ConnectionOf(new TeamId(Guid.NewGuid()), _id, stored)));
        Assert.Throws<CredentialRejectedException>(() => _vault.Reveal(ConnectionOf(_team, new ConnectionId(Guid.NewGuid()), stored)));
    }

    [Theory]
    [InlineData("")]
    [InlineData("not a ciphertext")]
    public void A_damaged_ciphertext_is_a_rejected_credential(string stored) =>
        Assert.Throws<CredentialRejectedException>(() => _vault.Reveal(ConnectionOf(_team, _id, stored)));

    private static Connection ConnectionOf(TeamId team, ConnectionId id, string stored) => new()
    {
        Id = id, TeamId = team, Market = new Market(Provider.VastAi, "https://example.org", Simulated: false), Name = "Lab", ProtectedKey = stored, KeyEnding = "nary",
        AccountId = "1", AccountName = "lab", Status = ConnectionStatus.Works, CreatedAt = DateTimeOffset.UnixEpoch,
    };
}
