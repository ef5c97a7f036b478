namespace Dashboard.Sandbox.Market;

/// <content>Keys of the account and of single instances.</content>
internal sealed partial class RentalMarket
{
    public AccountKey AddAccountKey(string publicKey, DateTimeOffset now, int accountId = MarketState.FirstAccount)
    {
        var key = new AccountKey(state.NextKeyId++, publicKey, now, accountId);
        state.AccountKeys.Add(key);
        return key;
    }

    public AccountKey? ReplaceAccountKey(int keyId, string publicKey, int accountId = MarketState.FirstAccount)
    {
        var index = state.AccountKeys.FindIndex(key => key.Id == keyId && key.AccountId == accountId);
        return index < 0 ? null : state.AccountKeys[index] = state.AccountKeys[index] with { PublicKey = publicKey };
    }

    public AccountKey? RemoveAccountKey(int keyId, int accountId = MarketState.FirstAccount)
    {
        var key = state.AccountKeys.Find(key => key.Id == keyId && key.AccountId == accountId);
        return key is not null && state.AccountKeys.Remove(key) ? key : null;
    }

    /// <summary>The key lets its owner in a little later. Attaching the same key again changes nothing.</summary>
    public AttachedKey? AttachKey(int id, string publicKey, DateTimeOffset now)
    {
        if (Find(id) is not { } contract)
        {
            return null;
        }

        var known = contract.AttachedKeys.Find(key => key.PublicKey == publicKey);
        if (known is null)
        {
            known = new AttachedKey(state.NextKeyId++, publicKey, now, Installed: false);
            contract.AttachedKeys.Add(known);
            InstallDueKeys(contract, now);
        }

        return known;
    }

    /// <summary>False when the instance has no such key.</summary>
    public bool DetachKey(Contract contract, int keyId)
    {
        var removed = contract.AttachedKeys.RemoveAll(key => key.Id == keyId) > 0;
        if (removed)
        {
            _effects.Enqueue(new HostEffect.InstallKeys(contract.Id));
        }

        return removed;
    }

    /// <summary>The public keys that the instance's sshd takes.</summary>
    public static IReadOnlyList<string> InstalledKeys(Contract contract) =>
        [.. contract.AccountKeys, .. contract.AttachedKeys.Where(key => key.Installed).Select(key => key.PublicKey)];

    private void InstallDueKeys(Contract contract, DateTimeOffset now)
    {
        for (var index = 0; index < contract.AttachedKeys.Count; index++)
        {
            if (!contract.AttachedKeys[index].Installed && now >= contract.AttachedKeys[index].AttachedAt + settings.KeyDelay)
            {
                contract.AttachedKeys[index] = contract.AttachedKeys[index] with { Installed = true };
                _effects.Enqueue(new HostEffect.InstallKeys(contract.Id));
            }
        }
    }
}
