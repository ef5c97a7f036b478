using System.Security.Cryptography;
using System.Text;
using Dashboard.Sandbox.Market;

namespace Dashboard.Sandbox.Http;

/// <summary>What the provider thinks of a key; each has its own refusal.</summary>
internal enum KeyStanding
{
    Valid,
    Deleted,
    SessionExpired,
    NeedsTwoFactor,
}

internal sealed record Account(int Id, string Name);

/// <param name="Permissions">Categories it is limited to; null for a full key.</param>
internal sealed record ApiKey(int Id, int AccountId, string Name, string Secret, IReadOnlyList<string>? Permissions, KeyStanding Standing = KeyStanding.Valid);

/// <summary>Accounts and their keys as they are kept on disk.</summary>
internal sealed class AccountBook
{
    public List<Account> Accounts { get; init; } = [];

    public List<ApiKey> Keys { get; init; } = [];
}

/// <summary>Who has an account here, and the keys that stand for it. Credit and contracts are the market's.</summary>
internal sealed class Accounts
{
    private readonly Kept<AccountBook> _book;

    /// <param name="firstKey">The full key with which a new book begins.</param>
    public Accounts(string path, string firstKey)
    {
        _book = new Kept<AccountBook>(path);
        if (_book.Read(book => book.Accounts.Count == 0))
        {
            _book.Change(book =>
            {
                book.Accounts.Add(new Account(MarketState.FirstAccount, "sandbox"));
                book.Keys.Add(new ApiKey(1, MarketState.FirstAccount, "full", firstKey, null));
                return true;
            });
        }
    }

    public IReadOnlyList<Account> All => _book.Read(book => book.Accounts.ToList());

    public IReadOnlyList<ApiKey> Keys => _book.Read(book => book.Keys.ToList());

    /// <summary>The key that an account got with its opening, or what it was reset to.</summary>
    public string FullKeyOf(int accountId) => _book.Read(book => book.Keys.First(key => key.AccountId == accountId && key.Permissions is null && key.Standing == KeyStanding.Valid).Secret);

    public Account? Find(int accountId) => _book.Read(book => book.Accounts.Find(account => account.Id == accountId));

    public ApiKey? FindKey(string secret)
    {
        var given = Encoding.UTF8.GetBytes(secret);
        return _book.Read(book => book.Keys.Find(key => CryptographicOperations.FixedTimeEquals(given, Encoding.UTF8.GetBytes(key.Secret))));
    }

    /// <summary>Opens another account; it has a full key and no money yet.</summary>
    public (Account Account, ApiKey Key) Open(string name) => _book.Change(book =>
    {
        var account = new Account(book.Accounts.Max(account => account.Id) + 1, name);
        book.Accounts.Add(account);
        return (account, Add(book, account.Id, "full", null, KeyStanding.Valid));
    });

    public ApiKey AddKey(int accountId, string name, IReadOnlyList<string>? permissions, KeyStanding standing = KeyStanding.Valid) =>
        _book.Change(book => Add(book, accountId, name, permissions, standing));

    /// <summary>A deleted key stays known, and is refused in other words than one that never was.</summary>
    public ApiKey? SetStanding(int keyId, KeyStanding standing) => _book.Change(book =>
    {
        var index = book.Keys.FindIndex(key => key.Id == keyId);
        return index < 0 ? null : book.Keys[index] = book.Keys[index] with { Standing = standing };
    });

    /// <summary>Every full key of the account is deleted and a new one made.</summary>
    public ApiKey Reset(int accountId) => _book.Change(book =>
    {
        for (var index = 0; index < book.Keys.Count; index++)
        {
            if (book.Keys[index].AccountId == accountId && book.Keys[index].Permissions is null)
            {
                book.Keys[index] = book.Keys[index] with { Standing = KeyStanding.Deleted };
            }
        }

        return Add(book, accountId, "full", null, KeyStanding.Valid);
    });

    private static ApiKey Add(AccountBook book, int accountId, string name, IReadOnlyList<string>? permissions, KeyStanding standing)
    {
        var key = new ApiKey(book.Keys.Count + 1, accountId, name, RandomNumberGenerator.GetHexString(64, lowercase: true), permissions, standing);
        book.Keys.Add(key);
        return key;
    }
}
