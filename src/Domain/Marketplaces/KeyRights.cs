namespace Dashboard.Domain.Marketplaces;

/// <summary>What a provider key may do, as far as it matters here.</summary>
[Flags]
public enum KeyRights
{
    None = 0,

    /// <summary>Read the account: name and balance.</summary>
    ReadAccount = 1,
    SearchOffers = 2,

    /// <summary>List machines and read their logs.</summary>
    ReadMachines = 4,

    /// <summary>Rent, stop and destroy machines and attach SSH keys: one right at the provider.</summary>
    ControlMachines = 8,

    /// <summary>Read what was charged.</summary>
    ReadCharges = 16,
}

/// <summary>What trying a key showed. A right in neither set could not be told: the provider did not answer in time, or not clearly.</summary>
public readonly record struct KeyProbe(KeyRights Granted, KeyRights Refused);
