// Runs once, when the database is created. Creates the nodes' user, which can read and write only their database.
db.getSiblingDB("tonesa").createUser({
  user: "tonesa",
  pwd: process.env.TONESA_PASSWORD,
  roles: [{ role: "readWrite", db: "tonesa" }],
});
