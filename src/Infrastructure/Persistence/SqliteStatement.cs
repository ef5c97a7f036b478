using System.Text;
using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace Dashboard.Infrastructure.Persistence;

/// <summary>
/// A prepared statement on SQLite's own interface, for thousands of rows at once: there ADO's part of a row takes several times
/// as long as SQLite's. It belongs to the connection's transaction and must be gone before the connection is closed.
/// </summary>
internal sealed class SqliteStatement : IDisposable
{
    private const int FewBytes = 128; // without a piece of the heap

    private readonly sqlite3 _database;
    private readonly sqlite3_stmt _statement;
    private int _given;

    /// <exception cref="SqliteException">The text is no statement.</exception>
    public SqliteStatement(SqliteConnection connection, string sql)
    {
        _database = connection.Handle ?? throw new InvalidOperationException("The connection is not open.");
        SqliteException.ThrowExceptionForRC(raw.sqlite3_prepare_v2(_database, sql, out _statement), _database);
    }

    /// <summary>Gives the next parameter.</summary>
    public SqliteStatement With(long? value)
    {
        _given++;
        SqliteException.ThrowExceptionForRC(value is { } number ? raw.sqlite3_bind_int64(_statement, _given, number) : raw.sqlite3_bind_null(_statement, _given), _database);
        return this;
    }

    /// <summary>Gives the next parameter.</summary>
    public SqliteStatement With(string value)
    {
        Span<byte> few = stackalloc byte[FewBytes];
        var text = Encoding.UTF8.TryGetBytes(value, few, out var length) ? few[..length] : Encoding.UTF8.GetBytes(value);
        SqliteException.ThrowExceptionForRC(raw.sqlite3_bind_text(_statement, ++_given, text), _database);
        return this;
    }

    /// <summary>Leaves the first parameters as they were the last time.</summary>
    public SqliteStatement Keeping(int first)
    {
        _given = first;
        return this;
    }

    /// <summary>Writes. The next time begins with the first parameter.</summary>
    /// <exception cref="SqliteException">It could not be done; nothing was written.</exception>
    public void Run()
    {
        _given = 0;
        var result = raw.sqlite3_step(_statement);
        raw.sqlite3_reset(_statement);
        SqliteException.ThrowExceptionForRC(result, _database);
    }

    /// <summary>Rows that <see cref="Run"/> wrote the last time.</summary>
    public int Written => raw.sqlite3_changes(_database);

    /// <summary>Goes to the next row that is read.</summary>
    /// <exception cref="SqliteException">It could not be read.</exception>
    public bool Next()
    {
        var result = raw.sqlite3_step(_statement);
        SqliteException.ThrowExceptionForRC(result, _database);
        return result == raw.SQLITE_ROW;
    }

    /// <summary>A number of the row; zero where it has none.</summary>
    public long Number(int column) => raw.sqlite3_column_int64(_statement, column);

    public void Dispose() => _statement.Dispose();
}
