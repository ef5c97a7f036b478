using Dashboard.Domain.Costs;
using Dashboard.Domain.Marketplaces;

namespace Dashboard.Domain.Teams;

public enum ConnectionStatus
{
    Works,

    /// <summary>The provider refuses the key. Its machines keep billing until a key works again.</summary>
    Broken,

    /// <summary>Rents nothing new; what runs goes on.</summary>
    Paused,

    /// <summary>Removed by a person once nothing billed. Kept for the ledger.</summary>
    Removed,
}

/// <summary>A team's account at a provider. The key is stored encrypted for this team and connection alone and never shown again.</summary>
public sealed class Connection
{
    public required ConnectionId Id { get; init; }

    public required TeamId TeamId { get; init; }

    public required Market Market { get; init; }

    public required string Name { get; set; }

    /// <summary>Ciphertext under a purpose that names team and connection.</summary>
    public required string ProtectedKey { get; set; }

    /// <summary>Last four characters of the key, for people to tell keys apart.</summary>
    public required string KeyEnding { get; set; }

    /// <summary>The provider's account id: another key may replace this one only when it belongs to the same account.</summary>
    public required string AccountId { get; set; }

    public required string AccountName { get; set; }

    public required ConnectionStatus Status { get; set; }

    /// <summary>The provider's words when it last refused.</summary>
    public string? StatusMessage { get; set; }

    /// <summary>Spendable balance when last asked.</summary>
    public Money? Credit { get; set; }

    public DateTimeOffset? CheckedAt { get; set; }

    /// <summary>What the key was seen to be allowed when last tried.</summary>
    public KeyRights Granted { get; set; }

    /// <summary>What it was refused. A right in neither could not be told.</summary>
    public KeyRights Refused { get; set; }

    /// <summary>Its market is searched and priced, but nothing is rented with it.</summary>
    public bool PricesOnly { get; set; }

    /// <summary>When its machines were last listed completely.</summary>
    public DateTimeOffset? ListedAt { get; set; }

    /// <summary>Machines of the account that are not ours: counted and shown, never touched.</summary>
    public int ForeignCount { get; set; }

    public HourlyRate ForeignRate { get; set; }

    public required DateTimeOffset CreatedAt { get; init; }
}
